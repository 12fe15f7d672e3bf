{{/* What the pods of service, redrive and check have in common. */}}

{{/* Called with (dict "root" $ "account" … "suffix" …). */}}
{{- define "consumer.podIdentity" -}}
serviceAccountName: {{ include "consumer.serviceAccountName" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- $own := dict "runAsNonRoot" true "runAsUser" 65532 "runAsGroup" 65532 "fsGroup" 65532 "seccompProfile" (dict "type" "RuntimeDefault") }}
  {{- mergeOverwrite $own (deepCopy .root.Values.podSecurityContext) | toYaml | nindent 2 }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.initContainers }}
initContainers:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: tmp
    emptyDir:
      sizeLimit: {{ .tmpSize | default "16Mi" }}
  {{- with .root.Values.token.secretName }}
  - name: nakadi-token
    secret:
      secretName: {{ . }}
      defaultMode: 0440
      items:
        - key: {{ $.root.Values.token.key }}
          path: {{ $.root.Values.token.key }}
  {{- end }}
  {{- if .root.Values.routes }}
  - name: routes
    configMap:
      name: {{ include "consumer.name" .root }}-routes
  {{- end }}
  {{- with .root.Values.authorities }}
  {{- if .configMapName }}
  - name: authorities
    configMap:
      name: {{ .configMapName }}
      items:
        - key: {{ .key }}
          path: {{ .key }}
  {{- end }}
  {{- end }}
  {{- with .root.Values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* Called with (dict "root" $ "resources" …), which override those of all pods; they are optional. */}}
{{- define "consumer.container" -}}
{{- $resources := .resources | default dict -}}
{{- with .root -}}
image: {{ include "consumer.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
envFrom:
  - configMapRef:
      name: {{ include "consumer.name" . }}
env:
  # Here and not in the ConfigMap: the webhook of EKS adds AWS_REGION to `env` where it is absent, and `env` wins.
  {{- if not (include "consumer.hasEnv" (dict "root" . "name" "AWS_REGION")) }}
  - name: AWS_REGION
    value: {{ .Values.region | quote }}
  {{- end }}
  {{- with include "consumer.tokenFile" . }}
  - name: CONSUMER_NAKADI_TOKEN_FILE
    value: {{ . | quote }}
  {{- end }}
  {{- if .Values.routes }}
  - name: CONSUMER_CONFIG_FILE
    value: /etc/consumer/consumer.yaml
  {{- end }}
  {{- $authorities := .Values.authorities }}
  {{- range $name, $trusted := dict "AWS_CA_BUNDLE" $authorities.aws "SSL_CERT_FILE" $authorities.nakadi }}
  {{- if and $authorities.configMapName $trusted (not (include "consumer.hasEnv" (dict "root" $.root "name" $name))) }}
  - name: {{ $name }}
    value: /etc/authorities/{{ $authorities.key }}
  {{- end }}
  {{- end }}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
securityContext:
  {{- $own := dict "allowPrivilegeEscalation" false "privileged" false "readOnlyRootFilesystem" true "runAsNonRoot" true "runAsUser" 65532 "runAsGroup" 65532 "capabilities" (dict "drop" (list "ALL")) "seccompProfile" (dict "type" "RuntimeDefault") }}
  {{- mergeOverwrite $own (deepCopy .Values.securityContext) | toYaml | nindent 2 }}
resources:
  {{- include "consumer.resources" (dict "root" . "resources" $resources) | nindent 2 }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
  {{- if .Values.token.secretName }}
  - name: nakadi-token
    mountPath: /var/run/secrets/nakadi
    readOnly: true
  {{- end }}
  {{- if .Values.routes }}
  - name: routes
    mountPath: /etc/consumer
    readOnly: true
  {{- end }}
  {{- if .Values.authorities.configMapName }}
  - name: authorities
    mountPath: /etc/authorities
    readOnly: true
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
{{- end -}}

{{/* MiB for the event types beyond the first. How many a Secret names is not known here: as many as there may be. */}}
{{- define "consumer.memoryOfRoutes" -}}
{{- $count := 1 -}}
{{- if kindIs "string" .Values.routes -}}
{{- if .Values.routes -}}
{{- $count = len (fromYamlArray .Values.routes) -}}
{{- else if include "consumer.hasRoutes" . -}}
{{- $count = 50 -}}
{{- end -}}
{{- else if .Values.routes -}}
{{- $count = len .Values.routes -}}
{{- end -}}
{{- add (mul 14 (sub (max 1 (min $count 4)) 1)) (mul 2 (sub (max 1 $count) 1)) -}}
{{- end -}}

{{/*
288 MiB and five quarters of the queue, and more with several event types; README.md, "Memory", adds
up why. Request and limit are the same: a worker must not be killed for its neighbour.
*/}}
{{- define "consumer.resources" -}}
{{- $memory := printf "%dMi" (add 288 (int64 (ceil (divf (mulf .root.Values.config.queue_bytes 1.25) 1048576))) (int64 (include "consumer.memoryOfRoutes" .root))) -}}
{{- $own := dict "requests" (dict "memory" $memory "ephemeral-storage" "32Mi") "limits" (dict "memory" $memory "ephemeral-storage" "64Mi") -}}
{{- mergeOverwrite $own (deepCopy .root.Values.resources) (deepCopy .resources) | toYaml -}}
{{- end -}}
