# The image of Rechargeflow: one static binary. `make image` builds the binary and then this. No other image is pulled,
# and nothing of the building machine gets in: certificates of public authorities and time zones are in the binary.
FROM scratch
ARG VERSION=dev
LABEL org.opencontainers.image.title="Rechargeflow" \
      org.opencontainers.image.description="Brings Recharge's webhooks to Bloomreach and into text messages" \
      org.opencontainers.image.version="${VERSION}"

COPY .bin/image/rechargeflow /rechargeflow
# An empty folder of the user's: a new volume that is mounted there takes its owner over. It is not declared a VOLUME, since
# most roles keep nothing and each container would get one without a name.
COPY --chown=65532:65532 .bin/image/data /var/lib/rechargeflow
WORKDIR /var/lib/rechargeflow

USER 65532:65532
ENV RECHARGEFLOW_CONFIG=/etc/rechargeflow/rechargeflow.yaml
EXPOSE 8080 9090
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s CMD ["/rechargeflow", "ready"]
ENTRYPOINT ["/rechargeflow"]
CMD ["run"]
