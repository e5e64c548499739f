# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
# shellcheck shell=bash disable=SC2207
# bash completion of ipcbox

# The names of the objects that the user may see.
_ipcbox_names() {
	ipcbox ls --quiet 2>/dev/null | awk 'NR > 1 && $2 != "-" { print $2 }'
}

_ipcbox() {
	local word=$2 previous=$3 command options
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		COMPREPLY=($(compgen -W 'create send recv channel peek work call serve
			pipe run region ls stat watch set dlq rm limits doctor help --help --version' -- "$word"))
		return
	fi
	command=${COMP_WORDS[1]}

	case $previous in
	--kind | -k)
		COMPREPLY=($(compgen -W 'queue mailbox' -- "$word"))
		return
		;;
	--file | -[fo])
		if [ "$command$previous" = recv-f ] || [ "$command$previous" = rm-f ]; then
			:
		else
			compopt -o filenames
			COMPREPLY=($(compgen -f -- "$word"))
			return
		fi
		;;
	--set | -s)
		compopt -o nospace
		COMPREPLY=($(compgen -S = -W "$(ipcbox limits 2>/dev/null |
			awk 'NR > 1 && /^[a-z]/ { print $1 }')" -- "$word"))
		return
		;;
	--dead-letter)
		COMPREPLY=($(compgen -W "none $(_ipcbox_names)" -- "$word"))
		return
		;;
	--mode | --max-* | --priority | --tag | --timeout | --batch | --count | --interval | \
		--lifetime | --from | --sequence | --skip | --workers | --buffer | -[mpgtniwb])
		return
		;;
	esac

	# Behind -- it is another command's line, as far as that is known here.
	if [[ $command == work || $command == serve || $command == run ]] &&
		[[ " ${COMP_WORDS[*]:2:COMP_CWORD-2} " == *' -- '* ]]; then
		compopt -o default
		[[ $previous == -- ]] && COMPREPLY=($(compgen -c -- "$word"))
		return
	fi

	if [[ $word == -* ]]; then
		options='--help --json --quiet'
		case $command in
		create) options+=' --kind --mode --exclusive --max-messages
			--max-bytes --max-message --pool --dead-letter --max-deliveries' ;;
		send) options+=' --lines --null --file --priority --tag --timeout
			--nowait --sync --lifetime --batch --create --verbose' ;;
		recv) options+=' --count --follow --all --timeout --nowait --file
			--null --raw --verbose --batch --listen --tag --from --sequence' ;;
		channel) options+=' --size --mode' ;;
		peek) options+=' --count --skip --tag --from --sequence --headers
			--verbose --null --raw' ;;
		work) options+=' --count --workers --timeout --verbose' ;;
		call) options+=' --file --priority --tag --timeout --nowait --lifetime
			--max-reply' ;;
		pipe) options+=' --buffer --mode --timeout --verbose' ;;
		serve) options+=' --count --workers --listen --verbose' ;;
		set) options+=' --mode --max-messages --max-bytes --max-message
			--dead-letter --max-deliveries' ;;
		dlq) options+=' --requeue --sequence --timeout' ;;
		watch) options+=' --interval --count' ;;
		region) options+=' --mode --semaphores --huge --exclusive --offset
			--length --count --timeout' ;;
		rm) options+=' --force' ;;
		limits) options+=' --set' ;;
		esac
		COMPREPLY=($(compgen -W "$options" -- "$word"))
		return
	fi

	case $command in
	send | recv | peek | work | call | serve | stat | set | dlq)
		[ "$COMP_CWORD" -ne 2 ] ||
			COMPREPLY=($(compgen -W "$(_ipcbox_names)" -- "$word"))
		;;
	pipe)
		case $COMP_CWORD in
		2) COMPREPLY=($(compgen -W 'into from' -- "$word")) ;;
		3) COMPREPLY=($(compgen -W "$(_ipcbox_names)" -- "$word")) ;;
		esac
		;;
	rm) COMPREPLY=($(compgen -W "$(_ipcbox_names)" -- "$word")) ;;
	region)
		case $COMP_CWORD in
		2) COMPREPLY=($(compgen -W 'create read write seal semaphores
			set take give' -- "$word")) ;;
		3) COMPREPLY=($(compgen -W "$(_ipcbox_names)" -- "$word")) ;;
		esac
		;;
	help) COMPREPLY=($(compgen -W 'create send recv channel peek work call serve
		pipe run region ls stat watch set dlq rm limits doctor' -- "$word")) ;;
	esac
}

complete -F _ipcbox ipcbox
