{{/* The release's name in names of objects: as Helm charts do it, at most 52 characters, so that pods' names stay below 64. */}}
{{- define "coding-env.name" -}}
{{- if contains "coding-env" .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-coding-env" (.Release.Name | trunc 41 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{- define "coding-env.selector" -}}
app.kubernetes.io/name: coding-env
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "coding-env.labels" -}}
{{ include "coding-env.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "coding-env.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/*
Seconds from SIGTERM to SIGKILL. The server's own phases, each with its bound: the drain; twice the grace for steps that are interrupted
then; 5 s for connections to take their last replies; 15 s for the warden to end all processes; 5 s for the last traces. And 10 s to spare.
deploy/test compares these with the server's source.
*/}}
{{- define "coding-env.terminationSeconds" -}}
{{- add .Values.drain.timeoutSeconds (mul 2 .Values.drain.interruptGraceSeconds) 5 15 5 10 -}}
{{- end -}}

{{/* A value of a variable. Helm reads large numbers as floating point, and would write 4.294967296e+09. */}}
{{- define "coding-env.value" -}}
{{- if kindIs "float64" . -}}
{{- printf "%.0f" . | quote -}}
{{- else -}}
{{- toString . | quote -}}
{{- end -}}
{{- end -}}
