# docqa with its server, on the CPU, not as root.
#
#   docker build -t docqa --build-arg TORCH_INDEX=ADDRESS .
#   docker run --rm -v ./contracts:/data docqa index /data --index /data/.docqa
#   docker run --rm -p 127.0.0.1:8080:8080 -v ./contracts:/data:ro docqa

FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/docqa
COPY constraints.txt /src/
# The usual torch brings gigabytes of CUDA; torch's installation page names the index of its builds
# for the CPU.
ARG TORCH_INDEX=
RUN torch="$(grep '^torch==' /src/constraints.txt)" \
    && /opt/docqa/bin/pip install ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} "$torch"
COPY . /src
# For nodes of a Ray cluster: --build-arg EXTRAS=cluster,mcp
ARG EXTRAS=mcp,serve
RUN /opt/docqa/bin/pip install -c /src/constraints.txt "/src[$EXTRAS]"

FROM python:3.13-slim
RUN useradd --uid 10001 --create-home docqa
COPY --from=build /opt/docqa /opt/docqa
ENV PATH=/opt/docqa/bin:$PATH PYTHONUNBUFFERED=1 HF_HUB_OFFLINE=1
WORKDIR /data
USER 10001
EXPOSE 8080
# The models take some seconds to load; until then the server answers that it is not ready.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", \
    "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["docqa"]
CMD ["serve", "--index", "/data/.docqa", "--host", "0.0.0.0"]
