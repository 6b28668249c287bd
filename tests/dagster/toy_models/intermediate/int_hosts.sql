SELECT * FROM stg_alpha__hosts
UNION ALL BY NAME
SELECT * FROM stg_beta__hosts
