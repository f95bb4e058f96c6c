"""Channel adapters: each turns a foreign document into the one PlaceOrder command. None is built yet."""
