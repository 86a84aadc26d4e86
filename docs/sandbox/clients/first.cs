#:package GoCardless@*
using GoCardless;
using GoCardless.Services;

var client = GoCardlessClient.Create(
    Environment.GetEnvironmentVariable("GOCARDLESS_ACCESS_TOKEN"),
    Environment.GetEnvironmentVariable("GOCARDLESS_BASE_URL"));
var reply = await client.Customers.CreateAsync(new CustomerCreateRequest
{
    GivenName = "Ada",
    FamilyName = "Lovelace",
    Email = "ada@example.com",
});
Console.WriteLine(reply.Customer.Id);
