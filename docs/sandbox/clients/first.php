<?php

require 'vendor/autoload.php';

$client = new \GoCardlessPro\Client([
    'access_token' => getenv('GOCARDLESS_ACCESS_TOKEN'),
    'environment' => \GoCardlessPro\Environment::SANDBOX,
    'base_url' => getenv('GOCARDLESS_BASE_URL'),
]);
$customer = $client->customers()->create([
    'params' => ['given_name' => 'Ada', 'family_name' => 'Lovelace', 'email' => 'ada@example.com'],
]);
echo $customer->id, "\n";
