"""The public HTTP API: routers by noun, strict inputs, problems as answers, one role matrix in front of everything."""
