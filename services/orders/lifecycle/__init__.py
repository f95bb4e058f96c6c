"""The life of an order: placed, validated, decided, recorded, cancelled, and what facts make of it."""
