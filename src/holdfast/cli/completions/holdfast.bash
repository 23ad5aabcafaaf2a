# bash completion for holdfast: made by `python -m holdfast.cli.texts bash` from the parsers
_holdfast() {
    local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words=""
    local verb=${COMP_WORDS[1]}
    COMPREPLY=()
    if (( COMP_CWORD == 1 )); then
        words="write edit get set del lock patch records log store verify repair inspect sweep doctor crash demo completion help --help --version"
    elif (( COMP_CWORD == 2 )) && [[ $previous == records ]]; then
        words="ls get set append"
    elif (( COMP_CWORD == 2 )) && [[ $previous == log ]]; then
        words="append cat tail follow drop"
    elif (( COMP_CWORD == 2 )) && [[ $previous == store ]]; then
        words="get put del ls export import follow"
    elif [[ $previous == "--" ]]; then
        COMPREPLY=( $(compgen -c -- "$cur") ); return
    else
        case $verb in records|log|store) verb="$verb ${COMP_WORDS[2]}" ;; esac
        case "$verb $previous" in
            "edit --parse") words="json toml yaml" ;;
            "edit --color") words="auto always never" ;;
            "get --parse") words="json toml yaml" ;;
            "set --parse") words="json toml yaml" ;;
            "del --parse") words="json toml yaml" ;;
            "store put --codec") words="json text bytes" ;;
            "store import --codec") words="json text bytes" ;;
            "verify --color") words="auto always never" ;;
            "repair --kind") words="store journal" ;;
            "repair --color") words="auto always never" ;;
            "inspect --color") words="auto always never" ;;
            "crash --ack") words="path stdout" ;;
            "crash --recorder") words="auto seccomp strace" ;;
            "crash --model") words="linux posix prefix" ;;
            "crash --sector") words="512 4096" ;;
            "crash --color") words="auto always never" ;;
            "completion completion") words="bash zsh fish" ;;
        esac
        [[ -z $words && $cur == -* ]] && case $verb in
            write) words="-n --no-clobber --min-bytes --allow-empty --sha256 --if-changed --backup --mode --no-sync -q --quiet -v --verbose -h --help" ;;
            edit) words="-i --interactive --diff --dry-run --create --allow-empty --parse --no-parse --no-sync -w --wait -E --conflict-exit-code --color -q --quiet -v --verbose -h --help" ;;
            get) words="--default --raw --parse --json --jsonl -q --quiet -h --help" ;;
            set) words="--str --int --json --incr --default --if --existing -f --force --no-sync --parse -w --wait -E --conflict-exit-code -q --quiet -v --verbose -h --help" ;;
            del) words="-f --force --no-sync --parse -w --wait -E --conflict-exit-code -q --quiet -v --verbose -h --help" ;;
            lock) words="-x -e --exclusive -s --shared -n --nb --nonblock -w --wait --timeout -E --conflict-exit-code -o --close -F --no-fork -c --command --of --who --json -q --quiet -v --verbose -h --help" ;;
            patch) words="--no-sync -v --verbose -h --help" ;;
            "records ls") words="--from --to --json -h --help" ;;
            "records get") words="--raw --json -q --quiet -h --help" ;;
            "records set") words="-w --wait -E --conflict-exit-code -q --quiet -h --help" ;;
            "records append") words="--create -q --quiet --json -h --help" ;;
            "log append") words="--null --whole --sync --each -q --quiet --json -h --help" ;;
            "log cat") words="--from --to --sequence --null --jsonl --json --written -h --help" ;;
            "log tail") words="-n -f --follow --sequence --null --jsonl --json --written -h --help" ;;
            "log follow") words="--from --timeout --sequence --null --jsonl --written -h --help" ;;
            "log drop") words="--before --json -q --quiet -h --help" ;;
            "store get") words="--default --raw --json -q --quiet -h --help" ;;
            "store put") words="--str --int --json --codec --no-sync -h --help" ;;
            "store del") words="-f --force -q --quiet -h --help" ;;
            "store ls") words="--values --null --jsonl --json -h --help" ;;
            "store export") words="-h --help" ;;
            "store import") words="--batch --replace --allow-empty --codec -q --quiet --json -h --help" ;;
            "store follow") words="--from --timeout -h --help" ;;
            verify) words="--json --color -q --quiet -h --help" ;;
            repair) words="--to --kind --codec --json --color -h --help" ;;
            inspect) words="--json --color -h --help" ;;
            sweep) words="--json --jsonl -q --quiet -h --help" ;;
            doctor) words="--json -h --help" ;;
            crash) words="--root --cwd --setup --ack --fault --timeout --any-exit --recorder --save --from --check --check-cmd --check-timeout --fast --recover --recover-cmd --model --sector --garbage --atomic-across --budget --seed --limit --exhaustive --replay --keep --json --color -h --help" ;;
            demo) words="-h --help" ;;
            completion) words="-h --help" ;;
        esac
    fi
    [[ -n $words ]] && COMPREPLY=( $(compgen -W "$words" -- "$cur") )
}
complete -o bashdefault -o default -F _holdfast holdfast
