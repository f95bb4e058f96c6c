ARG BASE
FROM ${BASE}
COPY mailpit /mailpit
ENTRYPOINT ["/mailpit"]
