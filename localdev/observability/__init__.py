"""Prometheus and Grafana beside the local service: rules and dashboard are the chart's."""
