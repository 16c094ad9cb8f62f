from intranet.backend.database import query

query("CREATE TABLE IF NOT EXISTS news (text varchar(200) NOT NULL)")
