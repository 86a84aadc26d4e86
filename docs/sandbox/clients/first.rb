require "gocardless_pro"

client = GoCardlessPro::Client.new(
  access_token: ENV.fetch("GOCARDLESS_ACCESS_TOKEN"),
  url: ENV.fetch("GOCARDLESS_BASE_URL")
)
customer = client.customers.create(
  params: { given_name: "Ada", family_name: "Lovelace", email: "ada@example.com" }
)
puts customer.id
