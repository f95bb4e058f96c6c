"""CEL predicates that people write: what one costs at most, and a process that runs those which may cost much."""
