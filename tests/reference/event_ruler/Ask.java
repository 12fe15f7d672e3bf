import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import software.amazon.event.ruler.JsonRuleCompiler;
import software.amazon.event.ruler.Machine;

/** Answers `yes`, `no` or `refused` to each line of standard input: a pattern, a tab, an event, both in base64. */
public class Ask {
  public static void main(String[] arguments) throws Exception {
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      String[] parts = line.split("\t");
      System.out.println(answer(text(parts[0]), text(parts[1])));
    }
  }

  private static String answer(String pattern, String event) throws Exception {
    if (JsonRuleCompiler.check(pattern) != null) {
      return "refused";
    }
    Machine machine = Machine.builder().build();
    machine.addRule("rule", pattern);
    return machine.rulesForJSONEvent(event).isEmpty() ? "no" : "yes";
  }

  private static String text(String base64) {
    return new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8);
  }
}
