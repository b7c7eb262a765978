# An image of this checkout, for processors or, with --build-arg TORCH=cu126, for CUDA:
#
#   docker build --tag coordconv-rl .
#   mkdir -p runs
#   docker run --rm --volume "$PWD/runs:/app/runs" coordconv-rl train --folder runs/mine
#
# Build arguments: TORCH, a folder of download.pytorch.org/whl (cpu, cu126, ...); EXTRAS, as in
# EXTRAS=box2d,ray; PYTHON, 3.10 to 3.13 (constraints.txt is for 3.11).
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
ARG TORCH=cpu
ARG EXTRAS=
ENV PATH=/opt/venv/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /source
RUN python -m venv /opt/venv
COPY constraints.txt ./
# torch's own index first: PyPI's build for Linux always brings CUDA.
RUN pip install --no-deps --index-url "https://download.pytorch.org/whl/${TORCH}" \
      "$(grep '^torch==' constraints.txt)"
COPY LICENSE README.md pyproject.toml ./
COPY coordconv_rl coordconv_rl
RUN pip install --constraint constraints.txt ".${EXTRAS:+[${EXTRAS}]}"

FROM python:${PYTHON}-slim
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1
COPY --from=build /opt/venv /opt/venv
RUN useradd --uid 1000 --create-home agent \
    && install --directory --owner=agent --group=agent /app /app/runs
USER 1000:1000
WORKDIR /app
VOLUME /app/runs
ENTRYPOINT ["coordconv-rl"]
CMD ["--help"]
