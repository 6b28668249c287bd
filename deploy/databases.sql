-- Run once by the database's container when its volume is new; the warehouse's database is made by POSTGRES_DB.
CREATE DATABASE dagster;
