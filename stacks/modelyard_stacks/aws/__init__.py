"""Components for Amazon Web Services, a module a subject; an emitted program has those beside it that it needs."""
