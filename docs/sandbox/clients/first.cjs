const { GoCardlessClient } = require('gocardless-nodejs');
const { Environments } = require('gocardless-nodejs/constants');

const client = new GoCardlessClient(process.env.GOCARDLESS_ACCESS_TOKEN, Environments.Sandbox, {});
client._api._baseUrl = process.env.GOCARDLESS_BASE_URL;

client.customers
	.create({ given_name: 'Ada', family_name: 'Lovelace', email: 'ada@example.com' })
	.then((customer) => console.log(customer.id));
