from app import query

query("CREATE TABLE IF NOT EXISTS visitors (name VARCHAR(200) NOT NULL)")
