// Package oteltest tests the metrics of integrations/otel with the inbox of integrations/river, the
// Prometheus exporter, and Prometheus itself. It is a module of its own, so that neither of the two
// depends on these.
package oteltest
