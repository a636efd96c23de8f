// Questions that are asked once while they are under way, by however many: a mail server that asks policy and milter, and
// asks again when it has waited too long. Nothing is kept behind the answer: DNS has its own memory. Called by
// create-sender-checks.ts.

export function shared<Question, Answer>(
  keyOf: (question: Question) => string,
  ask: (question: Question) => Promise<Answer>,
): (question: Question) => Promise<Answer> {
  const underWay = new Map<string, Promise<Answer>>();
  return (question) => {
    const key = keyOf(question);
    const before = underWay.get(key);
    if (before) return before;
    const asking = ask(question).finally(() => underWay.delete(key));
    underWay.set(key, asking);
    return asking;
  };
}
