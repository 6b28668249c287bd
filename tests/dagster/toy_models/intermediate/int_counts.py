"""A Python model of the tests."""

INPUTS = ("int_hosts",)
OUTPUTS = ("int_counts",)


def build(con, context):
    return {"int_counts": con.sql("SELECT product, count(*) AS hosts FROM int_hosts GROUP BY product")}
