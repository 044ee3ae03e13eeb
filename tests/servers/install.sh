#!/bin/sh
# What the tests with real servers need, where it is missing and this user may install it. Tests skip what is not there.
set -u
missing=
command -v rsyslogd > /dev/null 2>&1 || [ -x /usr/sbin/rsyslogd ] || missing="$missing rsyslog"
ls /usr/lib/*/rsyslog/lmnsd_gtls.so > /dev/null 2>&1 || missing="$missing rsyslog-gnutls"
command -v mvn > /dev/null 2>&1 || missing="$missing maven"
command -v tcpreplay > /dev/null 2>&1 || missing="$missing tcpreplay"
command -v tcpdump > /dev/null 2>&1 || missing="$missing tcpdump"
command -v tc > /dev/null 2>&1 || missing="$missing iproute2"
command -v ethtool > /dev/null 2>&1 || missing="$missing ethtool"
command -v nft > /dev/null 2>&1 || missing="$missing nftables"
ls /usr/lib/jvm/*/bin/java > /dev/null 2>&1 || missing="$missing default-jdk-headless"
if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null 2>&1; then
        # shellcheck disable=SC2086
        { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } > /dev/null ||
            echo "could not install:$missing"
    else
        echo "not installed (needs root and apt-get):$missing"
    fi
fi
