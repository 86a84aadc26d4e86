# The image of gcpro: the program and the certificates of public authorities, which requests to https
# servers need. goreleaser builds it for each platform from the binaries of a release, which it puts
# into a directory named after the platform.
FROM --platform=$BUILDPLATFORM alpine:3.22 AS certificates
RUN apk add --no-cache ca-certificates

FROM scratch
ARG TARGETPLATFORM
COPY --from=certificates /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY LICENSE /LICENSE
COPY $TARGETPLATFORM/gcpro /gcpro
USER 65532:65532
EXPOSE 8080
# "gcpro sandbox clock" calls the sandbox in the same container.
HEALTHCHECK --interval=2s --timeout=2s --retries=30 CMD ["/gcpro", "sandbox", "clock"]
ENTRYPOINT ["/gcpro"]
# Another container reaches the sandbox by a name, which --allow-host allows.
CMD ["sandbox", "--addr", "0.0.0.0:8080", "--allow-host", "sandbox"]
