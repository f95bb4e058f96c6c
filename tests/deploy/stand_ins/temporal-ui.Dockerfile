ARG BASE
FROM ${BASE}
WORKDIR /home/ui-server
COPY ui-server start-ui-server.sh ./
COPY --chown=temporal:temporal docker.yaml ./config/docker.yaml
USER temporal
ENTRYPOINT ["./start-ui-server.sh"]
