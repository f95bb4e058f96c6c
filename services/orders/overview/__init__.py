"""Lists over orders and what waits in them; reads only."""
