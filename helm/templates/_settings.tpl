{{/* From values to the environment of the service. */}}

{{- define "consumer.tokenFile" -}}
{{- if .Values.token.secretName -}}
/var/run/secrets/nakadi/{{ .Values.token.key }}
{{- else -}}
{{ .Values.config.nakadi_token_file }}
{{- end -}}
{{- end -}}

{{/* "true" if extraEnv has this variable. */}}
{{- define "consumer.hasEnv" -}}
{{- range .root.Values.extraEnv -}}
{{- if eq .name $.name -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{/* "true" if there is a dead letter queue. */}}
{{- define "consumer.hasQueue" -}}
{{- if or .Values.config.dead_letter_queue_url (include "consumer.hasEnv" (dict "root" $ "name" "CONSUMER_DEAD_LETTER_QUEUE_URL")) -}}true{{- end -}}
{{- end -}}

{{/* "true" if the service reads a list of routes, from `routes` or from elsewhere. */}}
{{- define "consumer.hasRoutes" -}}
{{- if or .Values.routes (include "consumer.hasEnv" (dict "root" $ "name" "CONSUMER_ROUTES")) -}}true{{- end -}}
{{- end -}}

{{/* The settings file with the routes: a text as it stands, indented, because Helm would read a key `N` as false. */}}
{{- define "consumer.routesFile" -}}
routes:
{{- if kindIs "string" .Values.routes }}
{{- .Values.routes | trimSuffix "\n" | nindent 2 }}
{{- else }}
{{- toYaml .Values.routes | nindent 2 }}
{{- end }}
{{- end -}}

{{/* One sentence that names all that is missing, or one for each contradiction. */}}
{{- define "consumer.mustHave" -}}
{{- $config := .Values.config -}}
{{- $missing := list -}}
{{- if not (or $config.table $config.stream_arn (include "consumer.hasEnv" (dict "root" $ "name" "CONSUMER_TABLE")) (include "consumer.hasEnv" (dict "root" $ "name" "CONSUMER_STREAM_ARN"))) -}}
{{- $missing = append $missing "config.table (or config.stream_arn)" -}}
{{- end -}}
{{- if not (or $config.nakadi_url (include "consumer.hasEnv" (dict "root" $ "name" "CONSUMER_NAKADI_URL"))) -}}
{{- $missing = append $missing "config.nakadi_url" -}}
{{- end -}}
{{- if not (or $config.event_type (include "consumer.hasRoutes" .)) -}}
{{- $missing = append $missing "config.event_type (or routes)" -}}
{{- end -}}
{{- if not .Values.region -}}
{{- $missing = append $missing "region" -}}
{{- end -}}
{{- if and .Values.token.required (not (or .Values.token.secretName $config.nakadi_token_file $config.nakadi_token_secret)) -}}
{{- $missing = append $missing "token.secretName (the Secret with Nakadi's token)" -}}
{{- end -}}
{{- if .Values.autoscaling.enabled -}}
{{- if not .Values.autoscaling.maxReplicas -}}
{{- $missing = append $missing "autoscaling.maxReplicas (the number of shards)" -}}
{{- end -}}
{{- if not .Values.autoscaling.prometheusAddress -}}
{{- $missing = append $missing "autoscaling.prometheusAddress" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.hpa.enabled (not .Values.hpa.maxReplicas) -}}
{{- $missing = append $missing "hpa.maxReplicas (the number of shards)" -}}
{{- end -}}
{{- if and .Values.redrive.schedule (not (include "consumer.hasQueue" .)) -}}
{{- $missing = append $missing "config.dead_letter_queue_url (the queue to redrive)" -}}
{{- end -}}
{{- if $missing -}}
{{- fail (printf "these values must be set: %s." (join ", " $missing)) -}}
{{- end -}}
{{- with include "consumer.contradictions" . | fromJsonArray -}}
{{- fail (join " " .) -}}
{{- end -}}
{{- end -}}

{{/*
What the service would refuse, or Kubernetes, and values.schema.json cannot see. The relations between settings are those
of `consumer settings`, in its words; where one of them comes by valueFrom nobody can tell.
*/}}
{{- define "consumer.contradictions" -}}
{{- $config := .Values.config -}}
{{- $is := dict "layout" "flat" "patch_field" "patch" "change_field" "change" "touch_attribute" "consumer:touch" "log_format" "json" "log_level" "INFO" -}}
{{- $is = merge $is (dict "heartbeat_seconds" 2 "scan_seconds" 2 "lease_duration_seconds" 10 "poll_idle_seconds" 0.25 "poll_idle_max_seconds" 2) -}}
{{- range $name, $value := $config -}}
{{- if not (or (kindIs "invalid" $value) (eq (toString $value) "")) -}}
{{- $_ := set $is $name $value -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- $name := trimPrefix "CONSUMER_" .name | lower -}}
{{- $_ := unset $is $name -}}
{{- with .value -}}
{{- $_ := set $is $name . -}}
{{- end -}}
{{- end -}}
{{- $wrong := list -}}
{{- if and (or $config.table (include "consumer.hasEnv" (dict "root" $ "name" "CONSUMER_TABLE"))) (or $config.stream_arn (include "consumer.hasEnv" (dict "root" $ "name" "CONSUMER_STREAM_ARN"))) -}}
{{- $wrong = append $wrong "config.table, config.stream_arn: wanted exactly one of the two." -}}
{{- end -}}
{{- if include "consumer.hasRoutes" . -}}
{{- if and (kindIs "string" .Values.routes) .Values.routes -}}
{{- range fromYamlArray .Values.routes -}}
{{- if not (kindIs "map" .) -}}
{{- $wrong = append $wrong "routes: wanted a list of routes, in YAML." -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.routes (include "consumer.hasEnv" (dict "root" $ "name" "CONSUMER_ROUTES")) -}}
{{- $wrong = append $wrong "routes, extraEnv CONSUMER_ROUTES: wanted only one of the two." -}}
{{- end -}}
{{- if $config.event_type -}}
{{- $wrong = append $wrong "config.event_type, routes: wanted only one of the two." -}}
{{- end -}}
{{- if not $config.application -}}
{{- $wrong = append $wrong "config.application, routes: wanted the name of the application if there are routes." -}}
{{- end -}}
{{- range list "filter" "changed" "include" "exclude" -}}
{{- if hasKey $is . -}}
{{- $wrong = append $wrong (printf "routes, config.%s: wanted at most one of the two: each route has its own." .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if gt (len (compact (list .Values.token.secretName $config.nakadi_token_file $config.nakadi_token_secret))) 1 -}}
{{- $wrong = append $wrong "token.secretName, config.nakadi_token_file, config.nakadi_token_secret: wanted at most one of the three." -}}
{{- end -}}
{{- if and (hasKey $is "heartbeat_seconds") (hasKey $is "lease_duration_seconds") -}}
{{- if gt (mulf 3 $is.heartbeat_seconds) (subf $is.lease_duration_seconds 2) -}}
{{- $wrong = append $wrong "config.heartbeat_seconds, config.lease_duration_seconds: wanted three heartbeats to fit into the lease duration less a margin of 2 s." -}}
{{- end -}}
{{- end -}}
{{- if and (hasKey $is "scan_seconds") (hasKey $is "lease_duration_seconds") -}}
{{- if gt (mulf 3 $is.scan_seconds) (float64 $is.lease_duration_seconds) -}}
{{- $wrong = append $wrong "config.scan_seconds, config.lease_duration_seconds: wanted a scan interval of at most a third of the lease duration." -}}
{{- end -}}
{{- end -}}
{{- if and (hasKey $is "nakadi_client_key_file") (not (hasKey $is "nakadi_client_cert_file")) -}}
{{- $wrong = append $wrong "config.nakadi_client_cert_file, config.nakadi_client_key_file: wanted a certificate if there is a key." -}}
{{- end -}}
{{- if and (hasKey $is "poll_idle_seconds") (hasKey $is "poll_idle_max_seconds") -}}
{{- if gt (float64 $is.poll_idle_seconds) (float64 $is.poll_idle_max_seconds) -}}
{{- $wrong = append $wrong "config.poll_idle_seconds, config.poll_idle_max_seconds: wanted a longest pause that is no shorter than the shortest." -}}
{{- end -}}
{{- end -}}
{{- if and (hasKey $is "max_record_age_seconds") (not (include "consumer.hasQueue" .)) -}}
{{- $wrong = append $wrong "config.max_record_age_seconds, config.dead_letter_queue_url: wanted a dead letter queue if there is a limit of age: older changes are sent there." -}}
{{- end -}}
{{- if and (hasKey $is "cloudwatch_namespace") (hasKey $is "log_format") (hasKey $is "log_level") -}}
{{- if not (and (eq (lower $is.log_format) "json") (has (upper $is.log_level) (list "DEBUG" "INFO"))) -}}
{{- $wrong = append $wrong "config.cloudwatch_namespace, config.log_format, config.log_level: wanted json and INFO (or DEBUG) if there is a namespace: the metrics are lines of the log." -}}
{{- end -}}
{{- end -}}
{{- if and (hasKey $is "patch_field") (hasKey $is "change_field") -}}
{{- if eq (trim $is.patch_field) (trim $is.change_field) -}}
{{- $wrong = append $wrong "config.patch_field, config.change_field: wanted two different names." -}}
{{- end -}}
{{- end -}}
{{- if hasKey $is "touch_attribute" -}}
{{- if has (trim $is.touch_attribute) (list (trim ($is.patch_field | default "")) (trim ($is.change_field | default ""))) -}}
{{- $wrong = append $wrong "config.touch_attribute, config.patch_field, config.change_field: wanted a touch attribute that has another name: it is in no event." -}}
{{- end -}}
{{- end -}}
{{- if eq (lower ($is.layout | default "")) "nested" -}}
{{- if or (eq (trim ($is.patch_field | default "")) "item") (eq (trim ($is.change_field | default "")) "item") -}}
{{- $wrong = append $wrong "config.layout, config.patch_field, config.change_field: wanted neither name to be 'item' in the nested layout." -}}
{{- end -}}
{{- end -}}
{{- if kindIs "string" $config.ordering_key -}}
{{- $names := list -}}
{{- range splitList "," $config.ordering_key -}}
{{- $names = append $names (trim .) -}}
{{- end -}}
{{- if ne (len $names) (len (uniq $names)) -}}
{{- $wrong = append $wrong "config.ordering_key: wanted different attribute names, comma separated." -}}
{{- end -}}
{{- end -}}
{{- if regexMatch "^[0-9]" ($config.start | default "") -}}
{{- $start := toDate "2006-01-02T15:04:05Z07:00" $config.start -}}
{{- if or (eq (dateInZone "2006" $start "UTC") "0001") (gt (int64 (unixEpoch $start)) (add 60 (unixEpoch now))) -}}
{{- $wrong = append $wrong "config.start: wanted a time that has passed." -}}
{{- end -}}
{{- end -}}
{{- with $config.stream_arn -}}
{{- if ne (index (splitList ":" .) 3) $.Values.region -}}
{{- $wrong = append $wrong "region, config.stream_arn: wanted the stream's region." -}}
{{- end -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled (not $config.nakadi_url) -}}
{{- $wrong = append $wrong "config.nakadi_url: wanted here, not in extraEnv, where networkPolicy.enabled opens its port." -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- $wrong = append $wrong "autoscaling.minReplicas is greater than autoscaling.maxReplicas." -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled .Values.hpa.enabled -}}
{{- $wrong = append $wrong "autoscaling.enabled, hpa.enabled: wanted at most one of the two, because both set the number of workers." -}}
{{- end -}}
{{- if and .Values.hpa.enabled (gt (int .Values.hpa.minReplicas) (int .Values.hpa.maxReplicas)) -}}
{{- $wrong = append $wrong "hpa.minReplicas is greater than hpa.maxReplicas." -}}
{{- end -}}
{{- if and .Values.hpa.enabled (not (or .Values.hpa.targetCores .Values.hpa.metrics)) -}}
{{- $wrong = append $wrong "hpa.targetCores, hpa.metrics: wanted at least one of the two." -}}
{{- end -}}
{{- if not (regexMatch "^[a-z][a-z0-9-]*$" (include "consumer.name" .)) -}}
{{- $wrong = append $wrong (printf "The release's name: found %q, wanted a letter first and no dot, because the Service is called by it." .Release.Name) -}}
{{- end -}}
{{- toJson (uniq $wrong) -}}
{{- end -}}

{{/* The text of a setting. Helm reads every number as a float, and would write 2.68435456e+08. */}}
{{- define "consumer.text" -}}
{{- if kindIs "slice" . -}}
{{ join "," . }}
{{- else if and (kindIs "float64" .) (eq (floor .) .) -}}
{{ int64 . }}
{{- else -}}
{{ . }}
{{- end -}}
{{- end -}}

{{/*
Data of the ConfigMap; what is empty is unset. The pod sets the region, and the path of the token with its mount.
*/}}
{{- define "consumer.environment" -}}
{{- range $name, $value := omit .Values.config "nakadi_token_file" }}
{{- $text := ternary "" (include "consumer.text" $value) (kindIs "invalid" $value) }}
{{- if $text }}
CONSUMER_{{ upper $name }}: {{ $text | quote }}
{{- end }}
{{- end }}
{{- end -}}
