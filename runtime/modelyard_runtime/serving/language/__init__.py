"""Serves language models with the routes of OpenAI's API."""
