# The words of swift for bash. A line acts only when its last word is `sesame`; every other line goes to the program,
# function or alias of that name, or to "command not found", as if this were not here.
# Put `eval "$(swift shell-init bash)"` at the end of ~/.bashrc.

__swift_word() {
  local __swift_name=$1 __swift_alias=__swift_alias_$1
  shift
  if [[ $# -gt 0 && ${@: -1} == sesame ]] && type -P swift >/dev/null; then
    command swift "$__swift_name" "$@"
  elif [[ -n ${!__swift_alias-} && ${__swift_inside-} != "$__swift_name" ]]; then
    local __swift_inside=$__swift_name
    eval "${!__swift_alias} \"\$@\""
  elif declare -F "__swift_former_$__swift_name" >/dev/null; then
    "__swift_former_$__swift_name" "$@"
  else
    command "$__swift_name" "$@"
  fi
}

__swift_take() {
  local name=$1 text
  if text=$(alias "$name" 2>/dev/null); then
    unalias "$name"
    eval "__swift_alias_$name=${text#*=}"
  fi
  text=$(declare -f "$name") || true
  case $text in
    '' | *__swift_word*) ;;
    *) eval "function __swift_former_$text" ;;
  esac
  eval "function $name { __swift_word $name \"\$@\"; }"
}

for __swift_name in @WORDS@; do __swift_take "$__swift_name"; done
unset __swift_name
unset -f __swift_take
