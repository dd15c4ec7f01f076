# The words of swift for fish. A line acts only when its last word is `sesame`; every other line goes to the program
# or function of that name (an alias is a function), or to "command not found", as if this were not here.
# Put `swift shell-init fish | source` at the end of ~/.config/fish/config.fish.

function __swift_word
    set -l name $argv[1]
    set -e argv[1]
    if test (count $argv) -gt 0; and test "$argv[-1]" = sesame; and command -q swift
        command swift $name $argv
    else if functions -q __swift_former_$name
        __swift_former_$name $argv
    else if command -q $name
        command $name $argv
    else
        functions -q fish_command_not_found; and fish_command_not_found $name $argv
        or echo "fish: Unknown command: $name" >&2
        return 127
    end
end

for name in @WORDS@
    if functions -q $name; and not string match -q '*__swift_word*' -- (functions $name | string collect)
        functions -c $name __swift_former_$name
    end
    functions -e $name
    eval "function $name; __swift_word $name \$argv; end"
end
