#compdef holdfast
# zsh completion for holdfast: made by `python -m holdfast.cli.texts zsh` from the parsers

_holdfast() {
    local -a verbs; local state line
    verbs=(
        'write:Replace FILE by what arrives on standard input, when it has arrived whole'
        'edit:Replace FILE by what CMD makes of it, only if CMD succeeds'
        'get:Print a value of a JSON, TOML or YAML file'
        'set:Change values of a JSON, TOML or YAML file'
        'del:Delete keys of a JSON, TOML or YAML file'
        'lock:Run CMD while holding the lock of FILE'
        'patch:Write standard input over the bytes of FILE from OFFSET on: all or nothing'
        'records:ls, get, set, append'
        'log:append, cat, tail, follow, drop'
        'store:get, put, del, ls, export, import, follow'
        'verify:Read all of PATH and say whether it is damaged'
        'repair:Save all that is whole of PATH into DIR; PATH is not touched'
        'inspect:Say what PATH is, who holds it, and what was left beside it'
        'sweep:Remove what killed writers left behind in DIR'
        'doctor:Measure what the disk under DIR really gives, and say which pattern fits'
        'crash:Find what a power cut or a kill would destroy in what CMD writes, and where'
        'demo:Show what holdfast does, on your own disk, in under 30 seconds'
        'completion:Print completions for a shell'
    )
    _arguments -C '1:verb:->verb' '*::argument:->argument'
    case $state in
    verb) _describe verb verbs ;;
    argument)
        if [[ $words[1] == records ]] && (( CURRENT == 2 )); then
            compadd ls get set append; return
        fi
        if [[ $words[1] == log ]] && (( CURRENT == 2 )); then
            compadd append cat tail follow drop; return
        fi
        if [[ $words[1] == store ]] && (( CURRENT == 2 )); then
            compadd get put del ls export import follow; return
        fi
        local verb=$words[1]
        case $verb in records|log|store) verb="$verb $words[2]" ;; esac
        case $verb in
        write) _arguments -S \
            '-n[only make a new file, else exit 73]' \
            '--no-clobber[only make a new file, else exit 73]' \
            '--min-bytes[refuse less input (default 1)]:N: ' \
            '--allow-empty[as --min-bytes 0]' \
            '--sha256[refuse other contents, with exit code 65]:HEX: ' \
            '--if-changed[leave a FILE that holds the same untouched]' \
            '--backup[keep the old contents under NAME, beside FILE]:NAME:_files' \
            '--mode[the permissions, such as 600 (default\: kept)]:OCTAL: ' \
            '--no-sync[do not wait for the disk\: whole, but not durable]' \
            '-q[say nothing when the answer is no]' \
            '--quiet[say nothing when the answer is no]' \
            '-v[say what was done]' \
            '--verbose[say what was done]' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        edit) _arguments -S \
            '-i[open $EDITOR on a copy, instead of CMD]' \
            '--interactive[open $EDITOR on a copy, instead of CMD]' \
            '--diff[print what changes]' \
            '--dry-run[replace nothing]' \
            '--create[make the file when it is missing]' \
            '--allow-empty[let the new contents be empty]' \
            '--parse[json, toml or yaml (default\: by the suffix of the file)]:FORMAT:(json toml yaml)' \
            '--no-parse[take whatever CMD prints]' \
            '--no-sync[do not wait for the disk\: whole, but not durable]' \
            '-w[wait at most so long for the lock (default\: as long as it takes)]:SECS: ' \
            '--wait[wait at most so long for the lock (default\: as long as it takes)]:SECS: ' \
            '-E[exit with N, not 75, when the lock is busy or somebody was faster]:N: ' \
            '--conflict-exit-code[exit with N, not 75, when the lock is busy or somebody was faster]:N: ' \
            '--color[auto, always or never; NO_COLOR and CLICOLOR_FORCE are obeyed]:WHEN:(auto always never)' \
            '-q[say nothing when the answer is no]' \
            '--quiet[say nothing when the answer is no]' \
            '-v[say what was done]' \
            '--verbose[say what was done]' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*::command:_normal' ;;
        get) _arguments -S \
            '--default[what to print when there is no such key]:VALUE: ' \
            '--raw[print no newline after the value]' \
            '--parse[json, toml or yaml (default\: by the suffix of the file)]:FORMAT:(json toml yaml)' \
            '--json[print one JSON document; an error is printed as one too]' \
            '--jsonl[print one JSON document a line, one a result]' \
            '-q[say nothing when the answer is no]' \
            '--quiet[say nothing when the answer is no]' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        set) _arguments -S \
            '--str[VALUE is text]' \
            '--int[VALUE is a whole number]' \
            '--json[VALUE is JSON]' \
            '--incr[add N to the number at KEY, and print the sum]:N: ' \
            '--default[what --incr starts from (default 0)]:VALUE: ' \
            '--if[change only if KEY is VALUE, else exit 1; may be given again]:KEY=VALUE: ' \
            '--existing[make no file and no key; exit 1 if KEY is missing]' \
            '-f[a plain VALUE may replace a whole table or list]' \
            '--force[a plain VALUE may replace a whole table or list]' \
            '--no-sync[do not wait for the disk\: whole, but not durable]' \
            '--parse[json, toml or yaml (default\: by the suffix of the file)]:FORMAT:(json toml yaml)' \
            '-w[wait at most so long for the lock (default\: as long as it takes)]:SECS: ' \
            '--wait[wait at most so long for the lock (default\: as long as it takes)]:SECS: ' \
            '-E[exit with N, not 75, when the lock is busy or somebody was faster]:N: ' \
            '--conflict-exit-code[exit with N, not 75, when the lock is busy or somebody was faster]:N: ' \
            '-q[say nothing when the answer is no]' \
            '--quiet[say nothing when the answer is no]' \
            '-v[say what was done]' \
            '--verbose[say what was done]' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        del) _arguments -S \
            '-f[a KEY that is missing is no mistake]' \
            '--force[a KEY that is missing is no mistake]' \
            '--no-sync[do not wait for the disk\: whole, but not durable]' \
            '--parse[json, toml or yaml (default\: by the suffix of the file)]:FORMAT:(json toml yaml)' \
            '-w[wait at most so long for the lock (default\: as long as it takes)]:SECS: ' \
            '--wait[wait at most so long for the lock (default\: as long as it takes)]:SECS: ' \
            '-E[exit with N, not 75, when the lock is busy or somebody was faster]:N: ' \
            '--conflict-exit-code[exit with N, not 75, when the lock is busy or somebody was faster]:N: ' \
            '-q[say nothing when the answer is no]' \
            '--quiet[say nothing when the answer is no]' \
            '-v[say what was done]' \
            '--verbose[say what was done]' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        lock) _arguments -S \
            '-x[hold it alone (default)]' \
            '-e[hold it alone (default)]' \
            '--exclusive[hold it alone (default)]' \
            '-s[share it with others that use -s]' \
            '--shared[share it with others that use -s]' \
            '-n[do not wait\: as -w 0]' \
            '--nb[do not wait\: as -w 0]' \
            '--nonblock[do not wait\: as -w 0]' \
            '-w[wait at most so long for the lock (default\: as long as it takes)]:SECS: ' \
            '--wait[wait at most so long for the lock (default\: as long as it takes)]:SECS: ' \
            '--timeout[wait at most so long for the lock (default\: as long as it takes)]:SECS: ' \
            '-E[exit with N, not 75, when the lock is busy or somebody was faster]:N: ' \
            '--conflict-exit-code[exit with N, not 75, when the lock is busy or somebody was faster]:N: ' \
            '-o[do not let CMD inherit the lock]' \
            '--close[do not let CMD inherit the lock]' \
            '-F[become CMD, instead of waiting for it]' \
            '--no-fork[become CMD, instead of waiting for it]' \
            '-c[let $SHELL run LINE]:LINE: ' \
            '--command[let $SHELL run LINE]:LINE: ' \
            '--of[take the lock that a document FILE is changed under]' \
            '--who[say who holds it; exit 1 if nobody does]' \
            '--json[print one JSON document; an error is printed as one too]' \
            '-q[say nothing when the answer is no]' \
            '--quiet[say nothing when the answer is no]' \
            '-v[say what was done]' \
            '--verbose[say what was done]' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*::command:_normal' ;;
        patch) _arguments -S \
            '--no-sync[do not wait for the disk\: whole, but not durable]' \
            '-v[say what was done]' \
            '--verbose[say what was done]' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        "records ls") _arguments -S \
            '--from[begin with this record (default\: 0)]:N: ' \
            '--to[end with this record]:N: ' \
            '--json[print one JSON document; an error is printed as one too]' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        "records get") _arguments -S \
            '--raw[print no newline after the value]' \
            '--json[print one JSON document; an error is printed as one too]' \
            '-q[say nothing when the answer is no]' \
            '--quiet[say nothing when the answer is no]' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        "records set") _arguments -S \
            '-w[wait at most so long for the lock (default\: as long as it takes)]:SECS: ' \
            '--wait[wait at most so long for the lock (default\: as long as it takes)]:SECS: ' \
            '-E[exit with N, not 75, when the lock is busy or somebody was faster]:N: ' \
            '--conflict-exit-code[exit with N, not 75, when the lock is busy or somebody was faster]:N: ' \
            '-q[say nothing when the answer is no]' \
            '--quiet[say nothing when the answer is no]' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        "records append") _arguments -S \
            '--create[make FILE when it is missing; one that is there must have this layout]:LAYOUT: ' \
            '-q[print no numbers]' \
            '--quiet[print no numbers]' \
            '--json[print one JSON document; an error is printed as one too]' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        "log append") _arguments -S \
            '--null[records of the input end with NUL, not a newline]' \
            '--whole[the whole input is one record]' \
            '--sync[always (default), never, or seconds\: durable so much later at most]:WHEN: ' \
            '--each[print the last sequence after each sync]' \
            '-q[print no sequence]' \
            '--quiet[print no sequence]' \
            '--json[print one JSON document; an error is printed as one too]' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        "log cat") _arguments -S \
            '--from[begin with this sequence (default\: the first that is kept)]:N: ' \
            '--to[end with this sequence]:N: ' \
            '--sequence[print the sequence and a tab before each record]' \
            '--null[end each record with a NUL byte, not a newline]' \
            '--jsonl[print one JSON document a line, one a record]' \
            '--json[print one JSON document; an error is printed as one too]' \
            '--written[print also what is written and not yet durable]' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        "log tail") _arguments -S \
            '-n[how many (default 10)]:N: ' \
            '-f[wait for more]' \
            '--follow[wait for more]' \
            '--sequence[print the sequence and a tab before each record]' \
            '--null[end each record with a NUL byte, not a newline]' \
            '--jsonl[print one JSON document a line, one a record]' \
            '--json[print one JSON document; an error is printed as one too]' \
            '--written[print also what is written and not yet durable]' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        "log follow") _arguments -S \
            '--from[begin with this sequence (default\: the first that is kept)]:N: ' \
            '--timeout[end when nothing has come for so long]:SECS: ' \
            '--sequence[print the sequence and a tab before each record]' \
            '--null[end each record with a NUL byte, not a newline]' \
            '--jsonl[print one JSON document a line, one a record]' \
            '--written[print also what is written and not yet durable]' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        "log drop") _arguments -S \
            '--before[keep N and all after it]:N: ' \
            '--json[print one JSON document; an error is printed as one too]' \
            '-q[print nothing]' \
            '--quiet[print nothing]' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        "store get") _arguments -S \
            '--default[what to print when there is no such key]:VALUE: ' \
            '--raw[print no newline after the value]' \
            '--json[print one JSON document; an error is printed as one too]' \
            '-q[say nothing when the answer is no]' \
            '--quiet[say nothing when the answer is no]' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        "store put") _arguments -S \
            '--str[VALUE is text]' \
            '--int[VALUE is a whole number]' \
            '--json[VALUE is JSON]' \
            '--codec[of a store that is made\: json (default), text or bytes]:NAME:(json text bytes)' \
            '--no-sync[do not wait for the disk\: whole, but not durable]' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        "store del") _arguments -S \
            '-f[a KEY that is missing is no mistake]' \
            '--force[a KEY that is missing is no mistake]' \
            '-q[say nothing when the answer is no]' \
            '--quiet[say nothing when the answer is no]' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        "store ls") _arguments -S \
            '--values[print the values as well]' \
            '--null[end each key with a NUL byte, not a newline]' \
            '--jsonl[print one JSON document a line, one a key]' \
            '--json[print one JSON document; an error is printed as one too]' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        "store export") _arguments -S \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        "store import") _arguments -S \
            '--batch[how many lines are one commit (default 1000)]:N: ' \
            '--replace[at the end, delete all other keys\: the store is what the lines say]' \
            '--allow-empty[with --replace\: an empty input is meant, and empties the store]' \
            '--codec[of a store that is made\: json (default), text or bytes]:NAME:(json text bytes)' \
            '-q[print no count]' \
            '--quiet[print no count]' \
            '--json[print one JSON document; an error is printed as one too]' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        "store follow") _arguments -S \
            '--from[begin with this commit (default\: the next one)]:N: ' \
            '--timeout[end when nothing has come for so long]:SECS: ' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        verify) _arguments -S \
            '--json[print one JSON document; an error is printed as one too]' \
            '--color[auto, always or never; NO_COLOR and CLICOLOR_FORCE are obeyed]:WHEN:(auto always never)' \
            '-q[answer by the exit code alone]' \
            '--quiet[answer by the exit code alone]' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        repair) _arguments -S \
            '--to[the folder to fill, or the file to make]:DIR: ' \
            '--kind[store or journal\: what PATH is, if its identity is lost]:KIND:(store journal)' \
            '--codec[of its values, in the same case]:NAME:_files' \
            '--json[print one JSON document; an error is printed as one too]' \
            '--color[auto, always or never; NO_COLOR and CLICOLOR_FORCE are obeyed]:WHEN:(auto always never)' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        inspect) _arguments -S \
            '--json[print one JSON document; an error is printed as one too]' \
            '--color[auto, always or never; NO_COLOR and CLICOLOR_FORCE are obeyed]:WHEN:(auto always never)' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        sweep) _arguments -S \
            '--json[print one JSON document; an error is printed as one too]' \
            '--jsonl[print one JSON document a line, one a result]' \
            '-q[say nothing when the answer is no]' \
            '--quiet[say nothing when the answer is no]' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        doctor) _arguments -S \
            '--json[print one JSON document; an error is printed as one too]' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        crash) _arguments -S \
            '--root[the folder to record; CMD starts in it]:DIR: ' \
            '--cwd[where CMD starts instead]:DIR: ' \
            '--setup[run this in the folder first, unrecorded]:LINE: ' \
            '--ack[path (default)\: opening /hf-mark\:TEXT acknowledges; stdout\: so does each whole line that CMD prints]:HOW:(path stdout)' \
            '--fault[the Nth CALL fails with errno DO, is cut (short\:BYTES), or kills (kill)]:CALL:DO[:N]: ' \
            '--timeout[kill CMD after this time (default\: 60s)]:TIME: ' \
            '--any-exit[crash what CMD did even if it fails by itself]' \
            '--recorder[auto, seccomp or strace]:NAME:(auto seccomp strace)' \
            '--save[keep the recording]:FILE: ' \
            '--from[crash a recording that was kept]:FILE: ' \
            '--check[pkg.mod\:fn or file.py\:fn; fn(dir, acked) raises on a broken promise]:FUNCTION: ' \
            '--check-cmd[a command in any language\: run with the folder and a file of acknowledgements; exit code 0 holds]:LINE: ' \
            '--check-timeout[a check that takes longer hangs (default\: 10s)]:TIME: ' \
            '--fast[call FUNCTION in this process\: faster, but it must leave nothing behind]' \
            '--recover[fn(dir) that recovers\: it is recorded and crashed as well]:FUNCTION: ' \
            '--recover-cmd[the same by a command that is run in the folder]:LINE: ' \
            '--model[prefix (kill alone), linux (default) or posix (anything unsynced)]:NAME:(linux posix prefix)' \
            '--sector[what survives as one piece\: 4096 (default) or 512]:BYTES:(512 4096)' \
            '--garbage[lost new blocks hold old bytes of the disk]' \
            '--atomic-across[a rename from one folder to another is one change]' \
            '--budget[explore so long at most (default\: 30s)]:TIME: ' \
            '--seed[of the samples (default\: 0)]:N: ' \
            '--limit[combinations tried at one point before sampling (default\: 4096)]:N: ' \
            '--exhaustive[exit code 1 also if not every state that the model allows was tried]' \
            '--replay[check the one state of a finding, and keep it]:ID: ' \
            '--keep[keep the smallest state of each finding in DIR]:DIR: ' \
            '--json[print one JSON document; an error is printed as one too]' \
            '--color[auto, always or never; NO_COLOR and CLICOLOR_FORCE are obeyed]:WHEN:(auto always never)' \
            '-h[show this help]' \
            '--help[show this help]' \
            '*::command:_normal' ;;
        demo) _arguments -S \
            '-h[show this help]' \
            '--help[show this help]' \
            '*::command:_normal' ;;
        completion) _arguments -S \
            '-h[show this help]' \
            '--help[show this help]' \
            '*:file:_files' ;;
        esac
    esac
}

_holdfast "$@"
