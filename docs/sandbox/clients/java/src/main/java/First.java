import com.gocardless.GoCardlessClient;
import com.gocardless.resources.Customer;

class First {
    public static void main(String[] args) {
        GoCardlessClient client = GoCardlessClient.newBuilder(System.getenv("GOCARDLESS_ACCESS_TOKEN"))
                .withBaseUrl(System.getenv("GOCARDLESS_BASE_URL"))
                .build();
        Customer customer = client.customers().create()
                .withGivenName("Ada")
                .withFamilyName("Lovelace")
                .withEmail("ada@example.com")
                .execute();
        System.out.println(customer.getId());
    }
}
