# The sandbox image for those who build with Docker; sandbox.sh makes the same one without a daemon.
#   docker build -f sandbox.Dockerfile -t monstrum.dev/sandbox:dev .
FROM debian:bookworm-slim
COPY sandbox.packages /tmp/packages
RUN apt-get update \
 && xargs -a /tmp/packages apt-get install -y --no-install-recommends \
 && rm -rf /var/lib/apt/lists/* /tmp/packages \
 && groupadd --gid 65532 bot \
 && useradd --uid 65532 --gid 65532 --create-home --shell /bin/bash bot
ENV HOME=/home/bot LANG=C.UTF-8
USER 65532:65532
WORKDIR /home/bot
ENTRYPOINT []
CMD ["/bin/bash"]
