# The README's program is the example that is compiled and run here.
root=$(cd -P files/../.. && pwd)
awk '/^```c$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$root/README.md" >readme.c
cmp readme.c "$root/examples/embed_and_predict.c" && echo "the same"
