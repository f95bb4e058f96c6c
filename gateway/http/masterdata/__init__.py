"""Operations on what orders are checked against: customers, products, prices, people, policies."""
