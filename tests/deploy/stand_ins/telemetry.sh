#!/bin/sh
busybox httpd -p 3000 -h /www
exec ./prometheus/prometheus --web.enable-remote-write-receiver --web.enable-otlp-receiver --enable-feature=exemplar-storage \
	--enable-feature=native-histograms --storage.tsdb.path=/data/prometheus --config.file=./prometheus.yaml
