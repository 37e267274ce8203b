"""The command lines: maniple's own and HAProxy's."""
