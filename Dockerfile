# docker build -t reliability .
# docker run -p 8080:8080 --env-file settings.env reliability     (docs/settings.md; DATABASE_URL=postgresql://…)
FROM python:3.14-slim
ENV PYTHONUNBUFFERED=1 RELIABILITY_HOST=0.0.0.0
WORKDIR /srv/reliability
COPY . .
RUN pip install --no-cache-dir --disable-pip-version-check -c constraints.txt . \
    && useradd --system --uid 10001 reliability
USER reliability
EXPOSE 8080
CMD ["reliability", "run"]
