import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.Properties;

/**
 * Asks a running Convoke over JDBC and prints the rows.
 *
 * <pre>
 * javac Query.java
 * java --add-opens=java.base/java.nio=ALL-UNNAMED -cp flight-sql-jdbc-driver.jar:. Query 127.0.0.1:8815 "$TOKEN"
 * </pre>
 */
public final class Query {
  private Query() {}

  public static void main(String[] arguments) throws Exception {
    Properties properties = new Properties();
    properties.put("useEncryption", "false");
    properties.put("user", "anybody");
    properties.put("password", arguments[1]);
    String sql = "SELECT brand, count(*) AS orders, sum(net) AS net FROM orders WHERE brand <> ? GROUP BY brand";
    try (Connection connection =
            DriverManager.getConnection("jdbc:arrow-flight-sql://" + arguments[0] + "/", properties);
        PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, "none");
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          System.out.println(rows.getString("brand") + " " + rows.getLong("orders") + " " + rows.getBigDecimal("net"));
        }
      }
    }
  }
}
