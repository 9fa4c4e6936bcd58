"""What shells run to complete a command line: for each, ``--completion SHELL`` prints it.

``python -m harness`` is completed like the script; other lines of python, as before.
"""

from __future__ import annotations

from harness.core.errors import unknown

BASH = r"""
_zero_cost_harness() {
    local run=("$1") line=${COMP_LINE:0:COMP_POINT} word
    if [[ $1 == *python* ]]; then
        if [[ ! $line =~ ^[[:space:]]*[^[:space:]]+[[:space:]]+-m[[:space:]]+harness[[:space:]] ]]
        then
            [[ $_zero_cost_harness_before ]] && $_zero_cost_harness_before "$@"
            return
        fi
        run+=(-m harness)
    fi
    word=${line##*[[:space:]]}
    mapfile -t COMPREPLY < <("${run[@]}" --complete "$line" 2>/dev/null)
    [[ ${COMPREPLY[0]} == *[=.] || $word == *\[* ]] && compopt -o nospace
    # Bash replaces what stands behind the last of its word breaks, such as "=".
    COMPREPLY=("${COMPREPLY[@]#"${word%"$2"}"}")
}
declare -F _completion_loader >/dev/null && _completion_loader python
if [[ $(complete -p python 2>/dev/null) =~ \ -F\ ([^ ]+) &&
    ${BASH_REMATCH[1]} != _zero_cost_harness ]]; then
    _zero_cost_harness_before=${BASH_REMATCH[1]}
fi
complete -o bashdefault -o default -F _zero_cost_harness zero-cost-harness python python3
"""

ZSH = r"""
_zero_cost_harness() {
    local run=("$words[1]") found
    if [[ $words[1] == *python* ]]; then
        if [[ "$words[2] $words[3]" != "-m harness" ]] || (( CURRENT < 4 )); then
            _python "$@"
            return
        fi
        run+=(-m harness)
    fi
    found=(${(f)"$("${run[@]}" --complete "${(j: :)words[1,CURRENT]}" 2>/dev/null)"})
    if (( ! $#found )); then
        compset -P '*='
        _files
    elif [[ $found[1] == *[=.] || $PREFIX == *\[* ]]; then
        compadd -S '' -a found
    else
        compadd -a found
    fi
}
compdef _zero_cost_harness zero-cost-harness python python3
"""

FISH = r"""
complete -c zero-cost-harness -a '(zero-cost-harness --complete (commandline -cp) 2>/dev/null)'
for python in python python3
    complete -c $python -n 'string match -q "* -m harness *" -- (commandline -cp)' \
        -a "($python -m harness --complete (commandline -cp) 2>/dev/null)"
end
"""

SHELLS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def shell_script(shell: str) -> str:
    """Returns what completes a command line in a shell.

    Raises:
        HarnessError: If it is not known how.
    """
    if shell not in SHELLS:
        raise unknown("shell", shell, SHELLS)
    return SHELLS[shell].strip()
