"""Serves language models through the routes of OpenAI's API."""
