"""The only home of SQLAlchemy: schema, transactions, sealed columns and the queries, one file per noun."""
