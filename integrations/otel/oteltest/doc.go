// Package oteltest tests the metrics of integrations/otel with the inbox of integrations/river, the
// Prometheus exporter, and Prometheus itself. It is a module of its own, so that integrations/otel
// and integrations/river do not depend on each other or on these.
package oteltest
