'use strict';
const fs = require('fs');

function sync(path) {
  const file = fs.openSync(path, 'r');
  fs.fsyncSync(file);
  fs.closeSync(file);
}

if (process.argv[2] === 'bad') {
  fs.writeFileSync('state', 'new');
} else {
  fs.writeFileSync('state.tmp', 'new');
  sync('state.tmp');
  fs.renameSync('state.tmp', 'state');
  sync('.');
}
fs.existsSync('/hf-mark:saved') || fs.open('/hf-mark:saved', 'r', () => {});
