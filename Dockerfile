# The image of Rechargeflow: one static binary. `make image` builds the binary, then the image. No base image is pulled, and
# the image has no files of the build machine: CA certificates and time zones are in the binary.
FROM scratch
ARG VERSION=dev
LABEL org.opencontainers.image.title="Rechargeflow" \
      org.opencontainers.image.description="Sends Recharge webhooks to Bloomreach and as text messages" \
      org.opencontainers.image.version="${VERSION}"

COPY .bin/image/rechargeflow /rechargeflow
# An empty directory of the user: a new volume mounted there gets its owner. It is not declared as a VOLUME: most roles store
# nothing, and each container would get an anonymous volume.
COPY --chown=65532:65532 .bin/image/data /var/lib/rechargeflow
WORKDIR /var/lib/rechargeflow

USER 65532:65532
ENV RECHARGEFLOW_CONFIG=/etc/rechargeflow/rechargeflow.yaml
EXPOSE 8080 9090
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s CMD ["/rechargeflow", "ready"]
ENTRYPOINT ["/rechargeflow"]
CMD ["run"]
