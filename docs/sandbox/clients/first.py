import os

import gocardless_pro

client = gocardless_pro.Client(
    access_token=os.environ["GOCARDLESS_ACCESS_TOKEN"],
    base_url=os.environ["GOCARDLESS_BASE_URL"],
)
customer = client.customers.create(
    params={"given_name": "Ada", "family_name": "Lovelace", "email": "ada@example.com"}
)
print(customer.id)
