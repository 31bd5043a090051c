# nginx with Lua in front of the instances that compose.yml names. Built from the root of the repository.
FROM debian:12-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends nginx libnginx-mod-http-lua lua-resty-core lua-resty-lrucache lua-cjson \
 && rm -rf /var/lib/apt/lists/* \
 && mkdir -p /run/gateway
COPY deploy/nginx /etc/flashsale-gateway
# Where the instances are (fixed addresses: Lua asks no resolver), and the keys: all that is edited in site.conf.
RUN cd /etc/flashsale-gateway \
 && sed -i \
      -e '/^upstream orders {/,/^}/ s/^    server 127\.0\.0\.1:5080 \(.*\)$/    server 172.28.0.11:5080 \1\n    server 172.28.0.12:5080 \1/' \
      -e '/^upstream storefront {/,/^}/ s/127\.0\.0\.1:5080/172.28.0.13:5080/' \
      -e '/^upstream console {/,/^}/ s/127\.0\.0\.1:5080/172.28.0.14:5080/' \
      -e 's/state = { "127\.0\.0\.1:5080" }/state = { "172.28.0.13:5080", "172.28.0.11:5080", "172.28.0.12:5080" }/' \
      -e 's/session_key = ""/session_key = "file:\/run\/secrets\/auth_key"/' \
      -e 's/token_keys = {}/token_keys = { "derived" }/' \
      site.conf
EXPOSE 8080
CMD ["nginx", "-p", "/run/gateway", "-c", "/etc/flashsale-gateway/nginx.conf", "-g", "daemon off;"]
