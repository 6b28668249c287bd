-- Subscriptions, accounts and projects that assets and hosts are in, under the names Defender for Cloud gives them
with told as (
    select product, instance, stream, provider, account_id, account_name, synced_at, sync, page, row_number
    from stg_prisma_cloud__assets
    where account_id is not null
    union all
    select product, instance, stream, provider, account_id, null, synced_at, sync, page, row_number
    from stg_prisma_cloud__hosts
    where account_id is not null
)

select
    product, instance, provider, account_id, max(account_name) over (partition by instance, provider, account_id) as account_name,
    stream, synced_at, sync, page, row_number,
    concat('account|', provider, '|', account_id) as id,
    concat(product, ':', instance, ':account|', provider, '|', account_id) as record,
    case provider
        when 'azure' then concat('/subscriptions/', account_id)
        when 'aws' then concat('arn:aws:iam::', account_id, ':root')
        when 'gcp' then concat('//cloudresourcemanager.googleapis.com/projects/', account_id)
        else concat(provider, ':', account_id)
    end as native_id
from told
where provider is not null
qualify row_number() over (partition by instance, provider, account_id order by stream, page, row_number) = 1
