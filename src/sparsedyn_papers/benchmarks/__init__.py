"""Functions and systems that are no paper's, or many papers': what equation learners are compared on."""
