# Prometheus as that image starts it, and a page that says Grafana is well; no collector, no Grafana, no Tempo, no Loki.
ARG BASE
FROM ${BASE}
WORKDIR /otel-lgtm
COPY prometheus ./prometheus/prometheus
COPY telemetry.sh ./run-all.sh
RUN mkdir -p /www/api && echo ok >/www/api/health
CMD ["/otel-lgtm/run-all.sh"]
