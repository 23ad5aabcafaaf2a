set -e
echo new > state.tmp
if [ "$1" = good ]; then sync state.tmp; fi
mv state.tmp state
if [ "$1" = good ]; then sync .; fi
cat /hf-mark:saved 2> /dev/null || :
