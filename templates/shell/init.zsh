# The words of swift for zsh. A line acts only when its last word is `sesame`; every other line goes to the program,
# function or alias of that name, or to "command not found", as if this were not here.
# Put `eval "$(swift shell-init zsh)"` at the end of ~/.zshrc.

typeset -gA __swift_aliases

functions[__swift_word]='
  local __swift_name=$1
  shift
  if (( $# )) && [[ ${argv[-1]} == sesame ]] && whence -p swift >/dev/null; then
    command swift "$__swift_name" "$@"
  elif [[ -n ${__swift_aliases[$__swift_name]-} && ${__swift_inside-} != "$__swift_name" ]]; then
    local __swift_inside=$__swift_name
    eval "${__swift_aliases[$__swift_name]} \"\$@\""
  elif (( ${+functions[__swift_former_$__swift_name]} )); then
    "__swift_former_$__swift_name" "$@"
  elif whence -p "$__swift_name" >/dev/null; then
    command "$__swift_name" "$@"
  elif (( ${+functions[command_not_found_handler]} )); then
    command_not_found_handler "$__swift_name" "$@"
  else
    print -u2 -r -- "zsh: command not found: $__swift_name"
    return 127
  fi'

for __swift_name in @WORDS@; do
  if (( ${+aliases[$__swift_name]} )); then
    __swift_aliases[$__swift_name]=${aliases[$__swift_name]}
    unalias "$__swift_name"
  fi
  if (( ${+functions[$__swift_name]} )) && [[ ${functions[$__swift_name]} != *__swift_word* ]]; then
    functions[__swift_former_$__swift_name]=${functions[$__swift_name]}
  fi
  functions[$__swift_name]="__swift_word $__swift_name \"\$@\""
done
unset __swift_name
