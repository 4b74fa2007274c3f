# The image of Rechargeflow: one static binary. `make image` builds the binary and then this. No other image is pulled,
# and nothing of the building machine gets in: certificates of public authorities and time zones are in the binary.
FROM scratch
ARG VERSION=dev
LABEL org.opencontainers.image.title="Rechargeflow" \
      org.opencontainers.image.description="Brings Recharge's webhooks to Bloomreach and into text messages" \
      org.opencontainers.image.version="${VERSION}"

COPY .bin/image/rechargeflow /rechargeflow
# An empty folder of the user's: a new volume takes its owner over.
COPY --chown=65532:65532 .bin/image/data /var/lib/rechargeflow
WORKDIR /var/lib/rechargeflow
VOLUME /var/lib/rechargeflow

USER 65532:65532
ENV RECHARGEFLOW_CONFIG=/etc/rechargeflow/rechargeflow.yaml
EXPOSE 8080 9090
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s CMD ["/rechargeflow", "ready"]
ENTRYPOINT ["/rechargeflow"]
CMD ["run"]
