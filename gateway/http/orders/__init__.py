"""Operations on one order and on the list of all: place, read, change, cancel, review, follow."""
