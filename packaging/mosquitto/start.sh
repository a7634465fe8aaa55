#!/bin/sh
# Writes the broker's password where mosquitto wants it, and starts mosquitto.
set -eu
: "${MQTT_USERNAME:?is not set}"
: "${MQTT_PASSWORD:?is not set; write OHMSTEAD_SECRET_MQTT into .env beside compose.yaml}"
umask 077
# Only this container sees the arguments of its processes.
mosquitto_passwd -c -b "${MQTT_PASSWORDS:=/mosquitto/data/passwords}" "$MQTT_USERNAME" "$MQTT_PASSWORD"
exec mosquitto -c "${MQTT_CONFIGURATION:-/mosquitto/config/mosquitto.conf}"
